"""Signing in over plain HTTP, in front of Streamlit: the gate, the pages that work without JavaScript, the brakes."""

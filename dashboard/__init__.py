"""The dashboard: Streamlit pages over the storage functions. It reads; nothing here writes to the database."""

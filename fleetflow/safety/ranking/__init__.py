"""Drivers compared by penalty points per 100 km, and how surely. No random draws, so nothing jitters."""

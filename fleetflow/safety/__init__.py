"""What a trip is worth: harsh events, scoring profiles and trip scores. No I/O, no clock."""

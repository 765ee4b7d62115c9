"""What a trip is: wire form, columnar samples and what follows from them alone. No I/O, no clock."""

"""What belongs to a person, taken along as a file or deleted with the account."""

"""What a person sees of an answer: body, headers, timing, comparison. Everything here is already masked and may be hostile."""

"""Pure array functions. They know pictures and maps, not tasks or models."""

"""Plain data that the rest of the package passes around, and their file formats. No framework is needed here."""

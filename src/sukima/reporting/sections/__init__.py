"""The sections of a report, one file each: from records to blocks."""

"""What a run folder says: loaded, summed up, drawn. Reads the folder only, writes only report/."""

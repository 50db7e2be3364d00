"""Pictures of items and people: fetched from their sources, kept on the disk, drawn where there are none."""

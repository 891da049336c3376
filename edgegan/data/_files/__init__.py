"""Pictures and lists on disk, which several kinds of data set read: files, places, tables, sizes."""

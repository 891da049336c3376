"""Photographs of people to a training set: faces found and aligned, people and hair cut out, labels and splits kept.

`folder.write_faces` does all of it; the kind of data set that reads the result is `edgegan.data.faces`.
"""

"""Image stores: one protocol over the official HDF5 file, a folder of JPEG or PNG files, or one of DICOM files."""

//! Problems of `.npy` files.

/// Why an `.npy` file cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NpyProblem {
    /// The file is shorter than its header.
    #[error("its header ends too early")]
    HeaderEndsEarly,
    /// The file starts with other bytes.
    #[error("it is no .npy file")]
    NotNpy,
    /// The version of the format is not supported.
    #[error("its version is {found}, expected 1 to 3")]
    Version {
        /// The major version.
        found: u8,
    },
    /// The header is longer than the file, or than the maximum.
    #[error("its header claims {found} bytes of a file of {file_bytes}, expected at most {most}")]
    HeaderLength {
        /// Bytes that it claims.
        found: u64,
        /// Bytes of the file.
        file_bytes: u64,
        /// Maximum bytes.
        most: u64,
    },
    /// A header that is not UTF-8.
    #[error("its header is not text")]
    HeaderNotText,
    /// The format does not have this entry of the header.
    #[error("its header has an unknown entry {name:?}")]
    UnknownEntry {
        /// The entry.
        name: String,
    },
    /// An entry of the header is missing.
    #[error("its header has no entry {name:?}")]
    MissingEntry {
        /// The entry.
        name: &'static str,
    },
    /// The header is not a dictionary of three entries.
    #[error("its header has {found:?} where {expected} is expected")]
    HeaderSyntax {
        /// The start of the text found.
        found: String,
        /// The expected text.
        expected: String,
    },
    /// A structured array.
    #[error("its columns have names: write a plain array of numbers")]
    NamedColumns,
    /// An array of Python objects.
    #[error("it holds pickled Python objects, which are not read: write an array of numbers")]
    PickledObjects,
    /// The number format is not supported.
    #[error(
        "its numbers are {found:?}, expected integers of 8 to 64 bits or real numbers of 32 or 64"
    )]
    DataType {
        /// NumPy's code of the number format.
        found: String,
    },
    /// The array does not have two axes.
    #[error("its shape is {found:?}, expected two axes: volumes, then ROIs")]
    Shape {
        /// Lengths of the axes.
        found: Vec<u64>,
    },
    /// The file has more or fewer bytes than the header announces.
    #[error(
        "{found_bytes} bytes follow its header, which announces {n_volumes} × {n_rois} numbers of \
         {number_bytes} bytes: fetch or write it again, with one array only"
    )]
    Length {
        /// Bytes after the header.
        found_bytes: u64,
        /// Volumes of the header.
        n_volumes: u64,
        /// ROIs of the header.
        n_rois: u64,
        /// Bytes of a number.
        number_bytes: u64,
    },
    /// An array without values.
    #[error("it is empty: {n_volumes} volumes of {n_rois} ROIs")]
    Empty {
        /// Volumes.
        n_volumes: u64,
        /// ROIs.
        n_rois: u64,
    },
    /// Another program changed the file.
    #[error("it became shorter while it was read")]
    Shrank,
}

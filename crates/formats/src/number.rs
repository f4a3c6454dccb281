//! Number formats and byte orders of binary files.

/// Byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Integers and real numbers of 8 to 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Rust's own")]
pub enum DataType {
    U8,
    I8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl DataType {
    /// Bytes of one number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

/// Compiles `$body` once per format and byte order and runs the requested one. In `$body`,
/// `$decode` turns the bytes of one number into its value.
macro_rules! with_decoder {
    (@each $number:ty, $endian:expr, $decode:ident, $body:expr) => {
        match $endian {
            Endian::Little => {
                let $decode = |bytes| <$number>::from_le_bytes(bytes) as f64;
                $body
            }
            Endian::Big => {
                let $decode = |bytes| <$number>::from_be_bytes(bytes) as f64;
                $body
            }
        }
    };
    ($data_type:expr, $endian:expr, |$decode:ident| $body:expr) => {
        match $data_type {
            DataType::U8 => with_decoder!(@each u8, $endian, $decode, $body),
            DataType::I8 => with_decoder!(@each i8, $endian, $decode, $body),
            DataType::I16 => with_decoder!(@each i16, $endian, $decode, $body),
            DataType::U16 => with_decoder!(@each u16, $endian, $decode, $body),
            DataType::I32 => with_decoder!(@each i32, $endian, $decode, $body),
            DataType::U32 => with_decoder!(@each u32, $endian, $decode, $body),
            DataType::I64 => with_decoder!(@each i64, $endian, $decode, $body),
            DataType::U64 => with_decoder!(@each u64, $endian, $decode, $body),
            DataType::F32 => with_decoder!(@each f32, $endian, $decode, $body),
            DataType::F64 => with_decoder!(@each f64, $endian, $decode, $body),
        }
    };
}
pub(crate) use with_decoder;

/// Appends the values of `bytes`; an incomplete number at the end is ignored.
pub(crate) fn decode(data_type: DataType, endian: Endian, bytes: &[u8], values: &mut Vec<f64>) {
    with_decoder!(data_type, endian, |decode| {
        let (numbers, _) = bytes.as_chunks();
        values.extend(numbers.iter().map(|&number| decode(number)));
    });
}

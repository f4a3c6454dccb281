//! Header of an `.npy` file: a Python dictionary of three entries.

use std::io::Read;

use super::problem::NpyProblem;
use crate::number::{DataType, Endian};

/// First bytes of a file.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Maximum header size; numpy itself refuses longer ones by default.
const MAX_HEADER_BYTES: u64 = 10_000;

/// The text of the dictionary, and the offset of the numbers.
pub(super) struct HeaderText {
    pub header: String,
    pub data_start: u64,
}

/// Reads all bytes before the numbers of a file of `file_bytes` bytes.
pub(super) fn text(input: &mut impl Read, file_bytes: u64) -> Result<HeaderText, NpyProblem> {
    let short = |_| NpyProblem::HeaderEndsEarly;
    let mut start = [0; 8];
    input.read_exact(&mut start).map_err(short)?;
    if &start[..6] != MAGIC {
        return Err(NpyProblem::NotNpy);
    }
    let (length, length_bytes) = match start[6] {
        1 => {
            let mut length = [0; 2];
            input.read_exact(&mut length).map_err(short)?;
            (u64::from(u16::from_le_bytes(length)), 2)
        }
        2 | 3 => {
            let mut length = [0; 4];
            input.read_exact(&mut length).map_err(short)?;
            (u64::from(u32::from_le_bytes(length)), 4)
        }
        found => return Err(NpyProblem::Version { found }),
    };
    let data_start = start.len() as u64 + length_bytes + length;
    if length > MAX_HEADER_BYTES || data_start > file_bytes {
        return Err(NpyProblem::HeaderLength {
            found: length,
            file_bytes,
            most: MAX_HEADER_BYTES,
        });
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes).map_err(short)?;
    let header = String::from_utf8(bytes).map_err(|_| NpyProblem::HeaderNotText)?;
    Ok(HeaderText { header, data_start })
}

/// The description of the array in the header.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub data_type: DataType,
    pub endian: Endian,
    pub fortran_order: bool,
    pub shape: Vec<u64>,
}

impl Header {
    /// Parses the dictionary.
    pub fn parse(text: &str) -> Result<Self, NpyProblem> {
        let (mut number, mut fortran_order, mut shape) = (None, None, None);
        let mut rest = Rest(text);
        rest.take("{")?;
        while !rest.has("}") {
            let key = rest.quoted()?;
            rest.take(":")?;
            match key {
                "descr" => number = Some(self::number(rest.descr()?)?),
                "fortran_order" => fortran_order = Some(rest.truth()?),
                "shape" => shape = Some(rest.shape()?),
                name => return Err(NpyProblem::UnknownEntry { name: name.into() }),
            }
            if !rest.has("}") {
                rest.take(",")?;
            }
        }
        let missing = |name| NpyProblem::MissingEntry { name };
        let (data_type, endian) = number.ok_or_else(|| missing("descr"))?;
        Ok(Self {
            data_type,
            endian,
            fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// The part of the dictionary that is not parsed yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn has(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start();
        self.0.starts_with(token)
    }

    fn take(&mut self, token: &str) -> Result<(), NpyProblem> {
        if !self.has(token) {
            return Err(self.wrong(&format!("{token:?}")));
        }
        self.0 = &self.0[token.len()..];
        Ok(())
    }

    fn quoted(&mut self) -> Result<&'a str, NpyProblem> {
        let quote = if self.has("\"") { '"' } else { '\'' };
        let inside = self.0.strip_prefix(quote);
        let Some((text, rest)) = inside.and_then(|text| text.split_once(quote)) else {
            return Err(self.wrong("a text in quotes"));
        };
        self.0 = rest;
        Ok(text)
    }

    fn descr(&mut self) -> Result<&'a str, NpyProblem> {
        if self.has("[") {
            return Err(NpyProblem::NamedColumns);
        }
        self.quoted()
    }

    fn truth(&mut self) -> Result<bool, NpyProblem> {
        let truth = self.has("True");
        self.take(if truth { "True" } else { "False" })?;
        Ok(truth)
    }

    /// Parses lengths in round brackets, separated by commas; a comma at the end is allowed.
    fn shape(&mut self) -> Result<Vec<u64>, NpyProblem> {
        self.take("(")?;
        let mut shape = Vec::new();
        while !self.has(")") {
            let digits = self.0.chars().take_while(char::is_ascii_digit).count();
            let length = self.0[..digits].parse();
            shape.push(length.map_err(|_| self.wrong("the length of an axis"))?);
            self.0 = &self.0[digits..];
            if !self.has(")") {
                self.take(",")?;
            }
        }
        self.take(")")?;
        Ok(shape)
    }

    fn wrong(&self, expected: &str) -> NpyProblem {
        NpyProblem::HeaderSyntax {
            found: self.0.chars().take(20).collect(),
            expected: expected.into(),
        }
    }
}

/// The number format of numpy's code: byte order, kind, bytes.
fn number(code: &str) -> Result<(DataType, Endian), NpyProblem> {
    let (order, kind) = code.split_at_checked(1).unwrap_or(("", code));
    let data_type = match kind {
        "i1" => Some(DataType::I8),
        "i2" => Some(DataType::I16),
        "i4" => Some(DataType::I32),
        "i8" => Some(DataType::I64),
        "u1" => Some(DataType::U8),
        "u2" => Some(DataType::U16),
        "u4" => Some(DataType::U32),
        "u8" => Some(DataType::U64),
        "f4" => Some(DataType::F32),
        "f8" => Some(DataType::F64),
        _ => None,
    };
    match (order, data_type) {
        // A one-byte number has no byte order: `|`.
        ("<" | "|", Some(data_type)) => Ok((data_type, Endian::Little)),
        (">", Some(data_type)) => Ok((data_type, Endian::Big)),
        _ if kind.starts_with('O') => Err(NpyProblem::PickledObjects),
        _ => Err(NpyProblem::DataType { found: code.into() }),
    }
}

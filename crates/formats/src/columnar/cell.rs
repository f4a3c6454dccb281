//! Cells of columns of any number format or kind of text.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_schema::DataType;

/// Whether [`each_number`] reads columns of this kind.
pub(super) fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Float32 | DataType::Float64)
}

/// Calls `take` with the row and the value of every cell of a column of numbers; a null is NaN. A
/// column of another kind has no calls.
pub(super) fn each_number(column: &dyn Array, mut take: impl FnMut(usize, f64)) {
    macro_rules! of {
        ($($kind:ident: $number:ty),*) => {
            match column.data_type() {
                $(DataType::$kind => {
                    for (row, value) in column.as_primitive::<$number>().iter().enumerate() {
                        take(row, value.map_or(f64::NAN, |value| value as f64));
                    }
                })*
                _ => {}
            }
        };
    }
    of!(
        Int8: Int8Type, Int16: Int16Type, Int32: Int32Type, Int64: Int64Type,
        UInt8: UInt8Type, UInt16: UInt16Type, UInt32: UInt32Type, UInt64: UInt64Type,
        Float32: Float32Type, Float64: Float64Type
    );
}

/// Calls `take` with the row and the text of every cell of a column of text or whole numbers; a
/// null is `None`. It stops at the first error. Returns `None` for a column of another kind.
pub(super) fn each_text<E>(
    column: &dyn Array,
    mut take: impl FnMut(usize, Option<&str>) -> Result<(), E>,
) -> Option<Result<(), E>> {
    let mut cells = |texts: &mut dyn Iterator<Item = Option<&str>>| {
        let mut rows = texts.enumerate();
        rows.try_for_each(|(row, text)| take(row, text))
    };
    Some(match column.data_type() {
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            let words: Vec<Option<&str>> = texts(dictionary.values())?.collect();
            let mut keys = Vec::with_capacity(column.len());
            each_number(dictionary.keys(), |_, key| keys.push(key));
            // A null, and a key without a word, have no text.
            let word = |key: f64| (key >= 0.0).then(|| words.get(key as usize).copied());
            cells(&mut keys.into_iter().map(|key| word(key)??))
        }
        kind if kind.is_integer() => {
            let mut numbers = Vec::with_capacity(column.len());
            each_number(column, |_, number| {
                numbers.push((!number.is_nan()).then(|| number.to_string()));
            });
            cells(&mut numbers.iter().map(Option::as_deref))
        }
        _ => cells(&mut texts(column)?),
    })
}

/// The cells of a column of plain text.
fn texts(column: &dyn Array) -> Option<Box<dyn Iterator<Item = Option<&str>> + '_>> {
    Some(match column.data_type() {
        DataType::Utf8 => Box::new(column.as_string::<i32>().iter()),
        DataType::LargeUtf8 => Box::new(column.as_string::<i64>().iter()),
        DataType::Utf8View => Box::new(column.as_string_view().iter()),
        _ => return None,
    })
}

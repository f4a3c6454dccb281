//! Cells of columns: the Rust types that a table holds.

use std::sync::Arc;

use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, Float32Array, Float64Array, ListArray, StringArray,
    UInt32Array,
};

/// A type of cells: `&str`, `String`, `&String`, `f64`, `f32`, `u32`, `bool`, `&[f64]`, `&[f32]`,
/// and the [`Option`] of each, whose `None` is a null.
///
/// No other crate can implement it.
pub trait Cell: ToArray {}

impl<T: ToArray> Cell for T {}

/// Conversion of cells to an Arrow array.
pub trait ToArray: Sized {
    /// The array of cells, with nulls for `None`; `None` if it has too many bytes or values for
    /// Arrow's 32-bit offsets.
    fn array(cells: Vec<Option<Self>>) -> Option<ArrayRef>;
}

impl<T: ToArray> ToArray for Option<T> {
    fn array(cells: Vec<Option<Self>>) -> Option<ArrayRef> {
        T::array(cells.into_iter().map(Option::flatten).collect())
    }
}

macro_rules! plain {
    ($($cell:ty => $array:ty),*) => {$(
        impl ToArray for $cell {
            fn array(cells: Vec<Option<Self>>) -> Option<ArrayRef> {
                Some(Arc::new(cells.into_iter().collect::<$array>()))
            }
        }
    )*};
}

plain!(f64 => Float64Array, f32 => Float32Array, u32 => UInt32Array, bool => BooleanArray);

macro_rules! texts {
    ($($cell:ty),*) => {$(
        impl ToArray for $cell {
            fn array(cells: Vec<Option<Self>>) -> Option<ArrayRef> {
                let lengths = cells.iter().flatten().map(|text| text.len());
                fits(lengths).then(|| Arc::new(cells.into_iter().collect::<StringArray>()) as _)
            }
        }
    )*};
}

texts!(&str, String, &String);

impl ToArray for &[f32] {
    fn array(cells: Vec<Option<Self>>) -> Option<ArrayRef> {
        lists::<Float32Type>(&cells)
    }
}

impl ToArray for &[f64] {
    fn array(cells: Vec<Option<Self>>) -> Option<ArrayRef> {
        lists::<Float64Type>(&cells)
    }
}

fn lists<T: ArrowPrimitiveType>(cells: &[Option<&[T::Native]>]) -> Option<ArrayRef> {
    let values = |list: &[T::Native]| list.iter().copied().map(Some).collect::<Vec<_>>();
    let lists = cells.iter().map(|list| list.map(values));
    let lengths = cells.iter().flatten().map(|list| list.len());
    fits(lengths).then(|| Arc::new(ListArray::from_iter_primitive::<T, _, _>(lists)) as _)
}

/// Whether the end of the last text or list is a valid 32-bit offset.
fn fits(mut lengths: impl Iterator<Item = usize>) -> bool {
    let total = lengths.try_fold(0_usize, |sum, length| sum.checked_add(length));
    total.is_some_and(|total| i32::try_from(total).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_than_offsets_reach_do_not_fit() {
        let most = i32::MAX as usize;
        assert!(fits([most - 1, 1].into_iter()));
        assert!(!fits([most, 1].into_iter()));
        assert!(!fits([usize::MAX, 1].into_iter()));
    }

    #[test]
    fn nulls_are_kept() {
        let texts = <Option<&str>>::array(vec![Some(Some("a")), Some(None), None]);
        assert_eq!(texts.map(|texts| texts.null_count()), Some(2));
        let lists = <&[f32]>::array(vec![Some(&[1.0, 2.0][..]), None]);
        assert_eq!(lists.map(|lists| lists.null_count()), Some(1));
    }
}

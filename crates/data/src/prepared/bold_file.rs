//! Signal file `bold.parquet`: one row per volume, one row group per scan.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, RecordBatch,
    StringArray, UInt32Array,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::error::{DataError, PreparedProblem, RowGroupProblem};
use brainmae_files::CommonErrors as _;
use brainmae_files::id::ScanId;
use brainmae_signals::bold::BoldSeries;

/// Maximum number of rows decoded at once: above the length of any scan, with little memory if a
/// footer claims more rows than there are.
const MOST_ROWS_AT_ONCE: usize = 1 << 14;

/// Columns of a series.
const SERIES_COLUMNS: [&str; 3] = ["scan", "kept", "bold"];

/// Writer of scans, one after another.
pub(crate) struct BoldWriter {
    path: PathBuf,
    n_rois: usize,
    list_size: i32,
    schema: Arc<Schema>,
    writer: SerializedFileWriter<File>,
    encoders: ArrowRowGroupWriterFactory,
}

impl BoldWriter {
    pub fn create(path: &Path, n_rois: usize) -> Result<Self, DataError> {
        let list_size = i32::try_from(n_rois)
            .map_err(|_| DataError::config("n_rois", n_rois, "fewer than 2^31"))?;
        let schema = Arc::new(Schema::new(vec![
            Field::new("scan", DataType::Utf8, false),
            Field::new("volume", DataType::UInt32, false),
            Field::new("time_secs", DataType::Float64, false),
            Field::new("kept", DataType::Boolean, false),
            Field::new("bold", DataType::FixedSizeList(item(), list_size), false),
        ]));
        // Signal values rarely repeat: a dictionary would make the file half as large again and
        // slower to read, and statistics are useless.
        let signals = ColumnPath::from(["bold", "list", "item"].map(String::from).to_vec());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(None)
            .set_column_dictionary_enabled(signals.clone(), false)
            .set_column_statistics_enabled(signals, EnabledStatistics::None)
            .build();
        let file = File::create(path).map_err(DataError::io("create", path))?;
        let (writer, encoders) = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(DataError::parquet(path))?;
        Ok(Self {
            path: path.to_owned(),
            n_rois,
            list_size,
            schema,
            writer,
            encoders,
        })
    }

    /// Adds one scan as the next row group.
    pub fn write(&mut self, scan: &ScanId, series: &BoldSeries) -> Result<(), DataError> {
        if series.n_rois() != self.n_rois {
            return Err(DataError::RoiCount {
                path: self.path.clone(),
                found: series.n_rois(),
                expected: self.n_rois,
            });
        }
        let volumes = u32::try_from(series.n_volumes())
            .map_err(|_| DataError::config("n_volumes", series.n_volumes(), "fewer than 2^32"))?;
        let values = Arc::new(Float32Array::from(series.values().to_vec()));
        let columns = FixedSizeListArray::try_new(item(), self.list_size, values, None)
            .and_then(|bold| {
                let columns: Vec<ArrayRef> = vec![
                    Arc::new(StringArray::from_iter_values(
                        (0..volumes).map(|_| scan.as_str()),
                    )),
                    Arc::new(UInt32Array::from_iter_values(0..volumes)),
                    Arc::new(Float64Array::from_iter_values(
                        (0..volumes).map(|volume| f64::from(volume) * series.tr_secs()),
                    )),
                    Arc::new(BooleanArray::from_iter(
                        (0..series.n_volumes()).map(|volume| Some(series.is_kept(volume))),
                    )),
                    Arc::new(bold),
                ];
                RecordBatch::try_new(self.schema.clone(), columns)
            })
            .map_err(|error| DataError::parquet(&self.path)(error.into()))?;
        self.encode(&columns)
            .map_err(DataError::parquet(&self.path))
    }

    fn encode(&mut self, columns: &RecordBatch) -> Result<(), ParquetError> {
        let number = self.writer.flushed_row_groups().len();
        let mut encoders = self.encoders.create_column_writers(number)?.into_iter();
        let mut group = self.writer.next_row_group()?;
        for (field, column) in self.schema.fields().iter().zip(columns.columns()) {
            // Each column has one leaf: the numbers of the list, or the column itself.
            for (leaf, mut encoder) in compute_leaves(field, column)?.iter().zip(&mut encoders) {
                encoder.write(leaf)?;
                encoder.close()?.append_to_row_group(&mut group)?;
            }
        }
        group.close().map(|_| ())
    }

    /// Copies the row groups of another file without decoding them.
    pub fn copy(&mut self, from: &BoldFile) -> Result<(), DataError> {
        if from.n_rois != self.n_rois {
            return Err(DataError::RoiCount {
                path: from.path.clone(),
                found: from.n_rois,
                expected: self.n_rois,
            });
        }
        let file = File::open(&from.path).map_err(DataError::io("open", &from.path))?;
        for rows in from.metadata.metadata().row_groups() {
            self.copy_group(&file, rows)
                .map_err(DataError::parquet(&self.path))?;
        }
        Ok(())
    }

    fn copy_group(&mut self, from: &File, rows: &RowGroupMetaData) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in rows.columns() {
            let encoded = ColumnCloseResult {
                bytes_written: u64::try_from(column.compressed_size())?,
                rows_written: u64::try_from(rows.num_rows())?,
                metadata: column.clone(),
                bloom_filter: None,
                // Indices help to read parts of a row group, but scans are read completely.
                column_index: None,
                offset_index: None,
            };
            group.append_column(from, encoded)?;
        }
        group.close().map(|_| ())
    }

    /// Writes the footer; without it the file cannot be read. The caller is responsible for syncing
    /// the file to the disk.
    pub fn finish(self) -> Result<File, DataError> {
        (self.writer.into_inner()).map_err(DataError::parquet(&self.path))
    }
}

/// A file of signals whose footer has been read.
#[derive(Debug)]
pub(crate) struct BoldFile {
    path: PathBuf,
    n_rois: usize,
    metadata: ArrowReaderMetadata,
}

impl BoldFile {
    pub fn open(path: &Path, n_rois: usize) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(DataError::parquet(path))?;
        let bold = metadata.schema().field_with_name("bold").ok();
        let is_series = matches!(
            bold.map(Field::data_type),
            Some(DataType::FixedSizeList(item, size))
                if item.data_type() == &DataType::Float32 && usize::try_from(*size) == Ok(n_rois)
        );
        if !is_series {
            let found = format!("{:?}", bold.map(Field::data_type));
            let problem = PreparedProblem::BoldColumn { found, n_rois };
            return Err(DataError::prepared(path, problem));
        }
        Ok(Self {
            path: path.to_owned(),
            n_rois,
            metadata,
        })
    }

    /// Volumes of each scan, in the order of the file.
    pub fn volumes(&self) -> Vec<usize> {
        (0..self.metadata.metadata().num_row_groups())
            .map(|group| self.volumes_of(group))
            .collect()
    }

    /// Volumes in one row group; 0 if there is no such group.
    pub fn volumes_of(&self, group: usize) -> usize {
        let groups = self.metadata.metadata().row_groups();
        groups
            .get(group)
            .map_or(0, |group| usize::try_from(group.num_rows()).unwrap_or(0))
    }

    /// Reads one row group, which must belong to `scan`.
    pub fn read(&self, group: usize, scan: &ScanId, tr_secs: f64) -> Result<BoldSeries, DataError> {
        let refuse =
            |problem| DataError::prepared(&self.path, PreparedProblem::RowGroup { group, problem });
        let volumes = self.volumes_of(group);
        let file = File::open(&self.path).map_err(DataError::io("open", &self.path))?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let columns = ProjectionMask::columns(builder.parquet_schema(), SERIES_COLUMNS);
        let reader = builder
            .with_projection(columns)
            .with_row_groups(vec![group])
            .with_batch_size(volumes.clamp(1, MOST_ROWS_AT_ONCE))
            .build()
            .map_err(DataError::parquet(&self.path))?;
        let mut values = Vec::new();
        let mut kept = Vec::new();
        for batch in reader {
            let batch =
                batch.map_err(|error| DataError::parquet(&self.path)(ParquetError::from(error)))?;
            let column = |name: &'static str| {
                batch
                    .column_by_name(name)
                    .ok_or_else(|| refuse(RowGroupProblem::NoColumn(name)))
            };
            let names = column("scan")?;
            let names = names
                .as_string_opt::<i32>()
                .ok_or_else(|| refuse(RowGroupProblem::ScanNames))?;
            if let Some(other) = names.iter().find(|name| *name != Some(scan.as_str())) {
                return Err(refuse(RowGroupProblem::Scan {
                    found: other.map(str::to_owned),
                    expected: scan.clone(),
                }));
            }
            let marks = column("kept")?;
            let marks = marks
                .as_boolean_opt()
                .ok_or_else(|| refuse(RowGroupProblem::KeptMarks))?;
            kept.extend(marks.iter().map(|mark| mark == Some(true)));
            let bold = column("bold")?.as_fixed_size_list_opt();
            let numbers = bold
                .and_then(|bold| bold.values().as_primitive_opt::<Float32Type>())
                .ok_or_else(|| refuse(RowGroupProblem::Numbers))?;
            values.extend_from_slice(numbers.values());
        }
        if kept.len() != volumes {
            return Err(refuse(RowGroupProblem::Volumes {
                scan: scan.clone(),
                found: kept.len(),
                expected: volumes,
            }));
        }
        Ok(BoldSeries::new(values, self.n_rois, tr_secs)?.with_kept(kept)?)
    }
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, false))
}

#[cfg(test)]
mod tests {
    use brainmae_formats::ColumnarFile;

    use super::*;

    #[test]
    fn a_scan_is_read_back_from_its_own_row_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bold.parquet");
        let first = BoldSeries::new(vec![1., 2., 3., 4.], 2, 0.5).unwrap();
        let second = BoldSeries::new(vec![5., 6., 7., 8., 9., 10.], 2, 0.5)
            .and_then(|series| series.with_kept(vec![true, false, true]))
            .unwrap();
        let mut writer = BoldWriter::create(&path, 2).unwrap();
        writer.write(&"a".into(), &first).unwrap();
        writer.write(&"b".into(), &second).unwrap();
        writer.finish().unwrap();

        let file = BoldFile::open(&path, 2).unwrap();
        assert_eq!(file.volumes(), [2, 3]);
        assert_eq!(file.read(1, &"b".into(), 0.5).unwrap(), second);
        assert_eq!(file.read(0, &"a".into(), 0.5).unwrap(), first);

        match file.read(0, &"b".into(), 0.5) {
            Err(DataError::Prepared { problem, .. }) => match problem {
                PreparedProblem::RowGroup { group, problem } => {
                    let (found, expected) = (Some("a".into()), "b".into());
                    assert_eq!(group, 0);
                    assert_eq!(problem, RowGroupProblem::Scan { found, expected });
                }
                other => panic!("{other}"),
            },
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            BoldFile::open(&path, 3),
            Err(DataError::Prepared {
                problem: PreparedProblem::BoldColumn { n_rois: 3, .. },
                ..
            })
        ));
    }

    #[test]
    fn the_file_is_read_as_a_table_of_any_tool() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bold.parquet");
        let mut writer = BoldWriter::create(&path, 2).unwrap();
        let kept = [vec![true, true], vec![false, true]];
        let values = [vec![1., 2., 3., 4.], vec![5., 6., 7., 8.]];
        for ((scan, values), kept) in ["s1", "s2"].into_iter().zip(values).zip(kept.clone()) {
            let series = BoldSeries::new(values, 2, 0.5)
                .and_then(|series| series.with_kept(kept))
                .unwrap();
            writer.write(&scan.into(), &series).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(
            ColumnarFile::open(&path).unwrap().scans().unwrap(),
            ["s1", "s2"]
        );
        let table = ColumnarFile::open(&path).unwrap().read(Some("s2")).unwrap();
        assert_eq!(table.signals.values, [5., 7., 6., 8.]);
        assert_eq!(
            (table.signals.n_rois, table.signals.tr_secs),
            (2, Some(0.5))
        );
        assert_eq!(table.kept.as_ref(), Some(&kept[1]));
    }

    #[test]
    fn row_groups_are_copied_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let series = |start: u8| {
            let values = (start..start + 6).map(f32::from).collect();
            BoldSeries::new(values, 2, 0.5)
                .and_then(|series| series.with_kept(vec![true, false, true]))
                .unwrap()
        };
        let part = folder.path().join("part.parquet");
        let mut writer = BoldWriter::create(&part, 2).unwrap();
        writer.write(&"b".into(), &series(10)).unwrap();
        writer.finish().unwrap();
        let part = BoldFile::open(&part, 2).unwrap();

        let whole = folder.path().join("whole.parquet");
        let mut writer = BoldWriter::create(&whole, 2).unwrap();
        writer.write(&"a".into(), &series(0)).unwrap();
        writer.copy(&part).unwrap();
        writer.write(&"c".into(), &series(20)).unwrap();
        writer.finish().unwrap();
        let whole = BoldFile::open(&whole, 2).unwrap();
        assert_eq!(whole.volumes(), [3, 3, 3]);
        for (group, scan) in ["a", "b", "c"].into_iter().enumerate() {
            let read = whole.read(group, &scan.into(), 0.5).unwrap();
            assert_eq!(read, series(group as u8 * 10), "{scan}");
        }

        let other = folder.path().join("other.parquet");
        let mut writer = BoldWriter::create(&other, 3).unwrap();
        assert!(matches!(
            writer.copy(&part),
            Err(DataError::RoiCount {
                found: 2,
                expected: 3,
                ..
            })
        ));
    }
}

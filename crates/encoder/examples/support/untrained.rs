/// A small prepared data set and a matching untrained checkpoint, in a folder that is removed on
/// drop.
pub struct Untrained {
    /// The folder of both.
    #[allow(
        dead_code,
        reason = "the example keeps it only to remove it at the end"
    )]
    pub folder: tempfile::TempDir,
    pub dataset: std::path::PathBuf,
    pub checkpoint: std::path::PathBuf,
}

/// Four subjects with one scan of 60 volumes each. The first two are of one family. The first is
/// the training set, the last is held out.
pub fn untrained() -> Result<Untrained, Box<dyn std::error::Error>> {
    use brainmae_data::{
        CleaningStep, DatasetHeader, PreparedDataset, ScanStore, SegmentLayout, Split,
    };
    use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, weights};
    use brainmae_run::Seeds;

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("small");
    let header = DatasetHeader {
        name: "small".into(),
        licence: "CC0".into(),
        citation: String::new(),
        dt_secs: 2.5,
        cleaning: vec![CleaningStep::ZScore],
        atlas_source: String::new(),
        warnings: Vec::new(),
        identity: String::new(),
    };
    write(&path, header, ["a", "b", "c"], &[1, 1, 2, 3])?;
    let dataset = PreparedDataset::open(&path)?;
    let layout = SegmentLayout {
        segment_len_trs: 6,
        n_segments: 4,
    };
    let config = BrainMaeConfig {
        d_model: 8,
        n_heads: 2,
        ..BrainMaeConfig::default()
    };
    let split = Split {
        unit: brainmae_data::SplitUnit::Subject,
        train: vec!["sub-0".into()],
        validation: vec!["sub-2".into()],
        test: vec!["sub-3".into()],
        train_subjects: vec!["0".into()],
    };
    let training = ScanStore::load(&dataset, &split.train, &layout)?;
    let settings = brainmae_encoder::ModelSettings::of::<BrainMae>(&config);
    let card = brainmae_encoder::card(&settings, &dataset, &layout, &split, &training, None)?;
    let shape = DataShape {
        n_rois: dataset.atlas().n_rois(),
        segment_len_trs: layout.segment_len_trs,
    };
    let device = burn::tensor::Device::flex();
    let model = config.init(shape, &mut Seeds::new(1).stream("weights"), &device)?;
    let bytes = weights::to_safetensors(&weights::export(&model, BrainMae::WEIGHT_NAMES), None)?;
    let files = [(brainmae_encoder::WEIGHTS, bytes)];
    brainmae_run::Checkpoint::save(folder.path(), "best", &card, &files)?;
    Ok(Untrained {
        dataset: path,
        checkpoint: folder.path().join("best"),
        folder,
    })
}

/// Writes a data set with one scan per subject; subjects with the same number are of one family.
pub fn write(
    path: &std::path::Path,
    header: brainmae_data::DatasetHeader,
    rois: [&str; 3],
    families: &[u32],
) -> Result<(), Box<dyn std::error::Error>> {
    use brainmae_data::{
        Atlas, BoldSeries, PreparedWriter, Roi, ScanRecord, ScanStatus, SubjectRecord,
    };
    const VOLUMES: usize = 60;
    let roi = |(index, name): (usize, &str)| Roi {
        index,
        name: name.into(),
        network: None,
        hemisphere: None,
        centroid_mm: None,
    };
    let atlas = Atlas {
        name: "three".into(),
        version: "1".into(),
        rois: rois.into_iter().enumerate().map(roi).collect(),
    };
    let dt_secs = header.dt_secs;
    let mut writer = PreparedWriter::create(path, header, atlas)?;
    let mut subjects = Vec::new();
    for (number, family) in families.iter().enumerate() {
        let record = ScanRecord {
            scan: format!("sub-{number}").as_str().into(),
            subject: number.to_string().as_str().into(),
            session: None,
            task: None,
            tr_secs: dt_secs,
            n_volumes: VOLUMES,
            kept_volumes: VOLUMES,
            mean_fd_mm: None,
            variant: None,
            quality: Default::default(),
            source: "made up".into(),
            status: ScanStatus::Included,
            reason: None,
        };
        let wave = |i: usize| ((i * (number + 2)) as f32 * 0.37).sin();
        let values = (0..VOLUMES * 3).map(wave).collect();
        let series = BoldSeries::new(values, 3, dt_secs)?;
        subjects.push(SubjectRecord {
            subject: record.subject.clone(),
            family: Some(family.to_string()),
            targets: Default::default(),
            categories: Default::default(),
        });
        writer.add(record, &series, &[Default::default(); 3], &[])?;
    }
    writer.finish(&subjects)?;
    Ok(())
}

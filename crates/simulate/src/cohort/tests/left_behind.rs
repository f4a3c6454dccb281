//! Failed simulations leave no files behind.

use super::*;
use std::ops::ControlFlow;

#[test]
fn a_failing_write_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("nsd");
    let large = atlas(1000);
    let spec = small(CohortLayout::Nsd);
    // The first scan finds more ROIs than voxels.
    let none = GrayordinateLabels::default();
    let failed = simulate_cohort(&spec, &large, &none, &out, &stream, &mut quiet);
    assert!(matches!(
        failed,
        Err(SimulateError::NoRoom { n_rois: 8000, .. })
    ));
    assert_eq!(files(folder.path()), BTreeSet::new());
    assert!(!out.exists() && !folder.path().join("nsd.partial").exists());
}

#[test]
fn a_caller_who_stops_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (out, atlas) = (folder.path().join("cohort"), atlas(2));
    let mut calls = 0;
    let stopped = simulate_cohort(
        &small(CohortLayout::Xcpd),
        &atlas,
        &labels(&atlas),
        &out,
        &stream,
        &mut |_| {
            calls += 1;
            ControlFlow::Break(())
        },
    );
    assert!(stopped.unwrap_err().is_interrupted());
    assert_eq!((calls, files(folder.path())), (1, BTreeSet::new()));
}

#[test]
fn what_stands_there_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let occupied = simulate(&small(CohortLayout::Xcpd), folder.path());
    assert!(matches!(occupied, Err(SimulateError::Occupied { .. })));
    assert_eq!(files(folder.path()).len(), 1);
}

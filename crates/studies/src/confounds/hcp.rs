//! Movement files of the HCP, `Movement_Regressors.txt`: columns of numbers without a header.

use std::path::Path;

use brainmae_files::CommonErrors as _;
use brainmae_signals::ConfoundTable;
use brainmae_signals::confounds::MOTION;

use crate::error::{ConfoundProblem, StudyError};

/// Reads the six motion parameters; the following columns, their derivatives, are ignored.
pub(super) fn read(path: &Path) -> Result<ConfoundTable, StudyError> {
    let bytes = std::fs::read(path).map_err(StudyError::io("read", path))?;
    let refuse = |line: usize, problem| StudyError::confounds(path, line as u64, problem);
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(line, ConfoundProblem::NotUtf8)
    })?;
    let mut motion: [Vec<f64>; 6] = Default::default();
    for (number, line) in text.lines().enumerate() {
        let n_cells = line.split_whitespace().count();
        if n_cells == 0 {
            continue;
        }
        if n_cells != 6 && n_cells != 12 {
            let problem = ConfoundProblem::MovementColumns { found: n_cells };
            return Err(refuse(number + 1, problem));
        }
        for (at, cell) in line.split_whitespace().take(6).enumerate() {
            let value: Option<f64> = cell.parse().ok().filter(|value: &f64| value.is_finite());
            let Some(value) = value else {
                let problem = ConfoundProblem::MovementCell {
                    column: at + 1,
                    name: MOTION[at],
                    found: cell.to_owned(),
                };
                return Err(refuse(number + 1, problem));
            };
            let is_rotation = at >= 3;
            motion[at].push(if is_rotation {
                value.to_radians()
            } else {
                value
            });
        }
    }
    Ok(ConfoundTable {
        n_volumes: motion[0].len(),
        motion: Some(motion),
        ..ConfoundTable::default()
    })
}

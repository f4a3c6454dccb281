//! Confound table: head movement and other confounds of a scan, by volume.

/// Names of the motion parameters: translations in mm, rotations in radians.
pub const MOTION: [&str; 6] = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];

/// Confounds of a scan; every column has one value per volume.
///
/// Motion and framewise displacement are finite. In other columns, missing values are NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfoundTable {
    /// Volumes of the scan.
    pub n_volumes: usize,
    /// Translation x, y, z in mm, rotation x, y, z in radians.
    pub motion: Option<[Vec<f64>; 6]>,
    /// Framewise displacement in mm, where the table has it.
    pub framewise_displacement_mm: Option<Vec<f64>>,
    /// Mean signal of the white matter.
    pub white_matter: Option<Vec<f64>>,
    /// Mean signal of the cerebrospinal fluid.
    pub csf: Option<Vec<f64>>,
    /// Mean signal of the whole brain.
    pub global_signal: Option<Vec<f64>>,
    /// Components of aCompCor.
    pub a_comp_cor: ACompCor,
    /// Number of non-steady-state volumes at the start, where the release gives it.
    pub non_steady_state: Option<usize>,
}

impl ConfoundTable {
    /// A table with head movement only: translation x, y, z in mm, rotation x, y, z in radians,
    /// each by volume.
    pub fn of_motion(motion: [Vec<f64>; 6]) -> Self {
        Self {
            n_volumes: motion[0].len(),
            motion: Some(motion),
            ..Self::default()
        }
    }

    /// Volumes of the scan.
    pub fn n_volumes(&self) -> usize {
        self.n_volumes
    }
}

/// One column of a table of confounds.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfoundColumn {
    /// Its name in the table.
    pub name: String,
    /// One value per volume; empty for a column that is not read.
    pub values: Vec<f64>,
}

/// The components of aCompCor in a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ACompCor {
    /// The table has no components.
    #[default]
    Absent,
    /// Components of white matter and CSF together, in the order of their numbers.
    Combined(Vec<ConfoundColumn>),
    /// Components of white matter, of CSF or of both; the table does not tell which.
    Ambiguous,
}

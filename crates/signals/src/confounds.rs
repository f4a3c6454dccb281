//! Confound table: head movement and other nuisance signals of a scan, by volume.

/// Names of the motion parameters: translations in mm, rotations in radians.
pub const MOTION: [&str; 6] = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];

/// Nuisance signals of a scan; every column has one value per volume.
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
    /// Non-steady-state volumes at the start, where the release counts them.
    pub non_steady_state: Option<usize>,
}

impl ConfoundTable {
    /// A table of head movement alone: translation x, y, z in mm, rotation x, y, z in radians, each
    /// by volume.
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
    /// A value per volume; none of a column that is not read.
    pub values: Vec<f64>,
}

/// The components of aCompCor in a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ACompCor {
    /// There are none.
    #[default]
    Absent,
    /// Those of white matter and CSF together, in the order of their numbers.
    Combined(Vec<ConfoundColumn>),
    /// They may be of white matter, of CSF or of both: nothing tells.
    Ambiguous,
}

//! Local rank: the number of this process on its machine, as MPI's starter or Slurm sets it.

/// Number of this process among the cooperating processes of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// Number of this process, from 0.
    pub rank: usize,
    /// Number of processes on this machine.
    pub size: usize,
}

/// Environment variables for rank and size: of Open MPI, of MPICH and Intel MPI, of MVAPICH, of
/// Slurm. Slurm's come last, because they are also set in a script that calls another starter.
const VARIABLES: [[&str; 2]; 4] = [
    ["OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"],
    ["MPI_LOCALRANKID", "MPI_LOCALNRANKS"],
    ["MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_SIZE"],
    ["SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"],
];

impl Local {
    /// Reads rank and size of this process; without the variables, it is alone.
    pub fn this() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        // Slurm writes `4(x2),3` for two nodes of four tasks and one of three: the first number is
        // enough.
        let number = |name: &str| {
            let text = variable(name)?;
            let end = text.find(|c: char| !c.is_ascii_digit());
            text[..end.unwrap_or(text.len())].parse().ok()
        };
        let [rank, size] = VARIABLES
            .iter()
            .find_map(|[rank, size]| Some([number(rank)?, number(size).unwrap_or(1)]))
            .unwrap_or([0, 1]);
        Self {
            rank,
            size: size.max(rank + 1),
        }
    }

    /// Default number of threads of this process. If it may use only some processors of the
    /// machine, all of these; otherwise an equal share of all processors.
    pub fn threads(self) -> usize {
        let mine = std::thread::available_parallelism().map_or(1, |n| n.get());
        self.share(mine, processors())
    }

    fn share(self, mine: usize, all: usize) -> usize {
        match mine < all {
            true => mine,
            false => (all / self.size).max(1),
        }
    }
}

/// Number of online processors of this machine.
fn processors() -> usize {
    let listed = std::fs::read_to_string("/sys/devices/system/cpu/online");
    let count = |range: &str| match range.split_once('-') {
        Some((first, last)) => Some(last.parse::<usize>().ok()? + 1 - first.parse::<usize>().ok()?),
        None => Some(1),
    };
    let count = |text: String| text.trim().split(',').map(count).sum::<Option<usize>>();
    listed.ok().and_then(count).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(variables: &[(&str, &str)]) -> Local {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Local::of(|name| found(name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn ranks_are_read_from_the_starters_variables() {
        let open_mpi = [
            ("OMPI_COMM_WORLD_LOCAL_RANK", "3"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "4"),
        ];
        assert_eq!(local(&open_mpi), Local { rank: 3, size: 4 });
        let intel = [("MPI_LOCALRANKID", "1"), ("MPI_LOCALNRANKS", "2")];
        assert_eq!(local(&intel), Local { rank: 1, size: 2 });
        let slurm = [
            ("SLURM_LOCALID", "2"),
            ("SLURM_STEP_TASKS_PER_NODE", "4(x2),3"),
        ];
        assert_eq!(local(&slurm), Local { rank: 2, size: 4 });
        let both = [slurm[0], slurm[1], open_mpi[0], open_mpi[1]];
        assert_eq!(local(&both), Local { rank: 3, size: 4 });
        assert_eq!(local(&[]), Local { rank: 0, size: 1 });
    }

    #[test]
    fn processors_are_shared_unless_they_were_given_out() {
        let four = Local { rank: 0, size: 4 };
        assert_eq!(four.share(16, 16), 4);
        assert_eq!(four.share(4, 16), 4);
        assert_eq!(four.share(2, 2), 1);
    }
}

//! Brain models: the vertex or voxel of each grayordinate.

use std::collections::HashSet;

use roxmltree::Node;

use super::problem::{CiftiProblem, ModelProblem};
use super::side::Side;
use super::xml::{attribute, children, number, numbers, only_child};
use crate::label_map::GrayordinateLabels;

/// Maximum number of vertices of one mesh; the finest meshes in use have some hundred thousand.
const MAX_VERTICES: usize = 1 << 22;

/// The grayordinates of a file, in their order.
#[derive(Debug)]
pub(super) struct BrainModels {
    models: Vec<BrainModel>,
    volume_space: Option<VolumeSpace>,
    n_grayordinates: usize,
}

/// The grid of the voxel indices.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeSpace {
    /// Voxels along the three axes.
    pub shape: [u32; 3],
    /// From voxel indices to right-anterior-superior mm.
    pub affine: [[f64; 4]; 3],
}

/// Consecutive grayordinates of one structure.
#[derive(Debug)]
pub(super) enum BrainModel {
    /// Vertices of the left or right cortex.
    Cortex {
        side: Side,
        /// Vertices of the whole mesh, with the medial wall.
        mesh_vertices: usize,
        vertices: Vec<u32>,
    },
    /// Vertices of another surface, which has no labels.
    OtherSurface { n_vertices: usize },
    /// Voxels of one structure.
    Voxels(Vec<[u32; 3]>),
}

impl BrainModel {
    fn len(&self) -> usize {
        match self {
            Self::Cortex { vertices, .. } => vertices.len(),
            Self::OtherSurface { n_vertices } => *n_vertices,
            Self::Voxels(voxels) => voxels.len(),
        }
    }
}

impl BrainModels {
    /// Parses a `MatrixIndicesMap` of brain models, whose indices must tile the axis.
    pub fn parse(map: Node<'_, '_>) -> Result<Self, CiftiProblem> {
        let volume_space = match children(map, "Volume").next() {
            Some(_) => Some(VolumeSpace::parse(only_child(map, "Volume")?)?),
            None => None,
        };
        let mut surfaces = HashSet::new();
        let mut placed = Vec::new();
        for model in children(map, "BrainModel") {
            let structure = attribute(model, "BrainStructure")?;
            let parsed = match attribute(model, "ModelType")? {
                "CIFTI_MODEL_TYPE_SURFACE" => {
                    if !surfaces.insert(structure) {
                        let structure = structure.into();
                        return Err(ModelProblem::RepeatedSurface { structure }.into());
                    }
                    surface(model, structure)?
                }
                "CIFTI_MODEL_TYPE_VOXELS" => {
                    let space = volume_space.as_ref().ok_or(ModelProblem::NoVolume)?;
                    voxels(model, structure, space)?
                }
                found => {
                    let (structure, found) = (structure.into(), found.into());
                    return Err(ModelProblem::Type { structure, found }.into());
                }
            };
            let offset: usize = number(model, "IndexOffset")?;
            let count: usize = number(model, "IndexCount")?;
            if count != parsed.len() {
                let problem = ModelProblem::Count {
                    structure: structure.into(),
                    announced: count,
                    listed: parsed.len(),
                };
                return Err(problem.into());
            }
            placed.push((offset, structure, parsed));
        }
        placed.sort_by_key(|(offset, _, model)| (*offset, model.len()));
        let mut next = 0;
        for (offset, structure, model) in &placed {
            if *offset != next {
                let problem = ModelProblem::Offset {
                    structure: (*structure).into(),
                    found: *offset,
                    expected: next,
                };
                return Err(problem.into());
            }
            next += model.len();
        }
        let models: Vec<BrainModel> = placed.into_iter().map(|(_, _, model)| model).collect();
        let mut seen: Vec<[u32; 3]> = models
            .iter()
            .filter_map(|model| match model {
                BrainModel::Voxels(voxels) => Some(voxels.as_slice()),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        if let Some(voxel) = repeated(&mut seen) {
            return Err(ModelProblem::RepeatedVoxel { voxel }.into());
        }
        Ok(Self {
            models,
            volume_space,
            n_grayordinates: next,
        })
    }

    /// Grayordinates in the file.
    pub fn len(&self) -> usize {
        self.n_grayordinates
    }

    /// The models, in the order of their grayordinates.
    pub fn models(&self) -> &[BrainModel] {
        &self.models
    }

    /// The grid of the voxels.
    pub fn volume_space(&self) -> Option<&VolumeSpace> {
        self.volume_space.as_ref()
    }

    /// The label of each grayordinate; 0 where `labels` has none.
    pub fn labels(&self, labels: &GrayordinateLabels) -> Result<Vec<u32>, CiftiProblem> {
        let mut of_grayordinate = Vec::with_capacity(self.n_grayordinates);
        for model in &self.models {
            match model {
                BrainModel::Cortex {
                    side,
                    mesh_vertices,
                    vertices,
                } => {
                    let mesh = match side {
                        Side::Left => &labels.left,
                        Side::Right => &labels.right,
                    };
                    if !mesh.is_empty() && mesh.len() != *mesh_vertices {
                        return Err(CiftiProblem::Mesh {
                            side: *side,
                            found: *mesh_vertices,
                            labels: mesh.len(),
                        });
                    }
                    of_grayordinate.extend(
                        vertices
                            .iter()
                            .map(|&vertex| mesh.get(vertex as usize).copied().unwrap_or(0)),
                    );
                }
                BrainModel::OtherSurface { n_vertices } => {
                    of_grayordinate.extend(std::iter::repeat_n(0, *n_vertices));
                }
                BrainModel::Voxels(voxels) => of_grayordinate.extend(
                    voxels
                        .iter()
                        .map(|voxel| labels.voxels.get(voxel).copied().unwrap_or(0)),
                ),
            }
        }
        Ok(of_grayordinate)
    }
}

fn surface(model: Node<'_, '_>, structure: &str) -> Result<BrainModel, CiftiProblem> {
    let structure_name = || structure.to_owned();
    let mesh_vertices: usize = number(model, "SurfaceNumberOfVertices")?;
    if mesh_vertices > MAX_VERTICES {
        let problem = ModelProblem::MeshSize {
            structure: structure_name(),
            found: mesh_vertices,
            most: MAX_VERTICES,
        };
        return Err(problem.into());
    }
    let vertices: Vec<u32> = numbers(only_child(model, "VertexIndices")?)?;
    let mut sorted = vertices.clone();
    if let Some(vertex) = repeated(&mut sorted) {
        let structure = structure_name();
        return Err(ModelProblem::RepeatedVertex { structure, vertex }.into());
    }
    if let Some(&last) = sorted.last()
        && last as usize >= mesh_vertices
    {
        let problem = ModelProblem::Vertex {
            structure: structure_name(),
            vertex: last,
            mesh_vertices,
        };
        return Err(problem.into());
    }
    let side = match structure {
        "CIFTI_STRUCTURE_CORTEX_LEFT" => Side::Left,
        "CIFTI_STRUCTURE_CORTEX_RIGHT" => Side::Right,
        _ => {
            return Ok(BrainModel::OtherSurface {
                n_vertices: vertices.len(),
            });
        }
    };
    Ok(BrainModel::Cortex {
        side,
        mesh_vertices,
        vertices,
    })
}

fn voxels(
    model: Node<'_, '_>,
    structure: &str,
    space: &VolumeSpace,
) -> Result<BrainModel, CiftiProblem> {
    let numbers: Vec<u32> = numbers(only_child(model, "VoxelIndicesIJK")?)?;
    let (voxels, rest) = numbers.as_chunks::<3>();
    if !rest.is_empty() {
        let problem = ModelProblem::Triples {
            structure: structure.into(),
            found: numbers.len(),
        };
        return Err(problem.into());
    }
    let inside = |voxel: &[u32; 3]| (0..3).all(|axis| voxel[axis] < space.shape[axis]);
    match voxels.iter().find(|voxel| !inside(voxel)) {
        Some(voxel) => Err(ModelProblem::Voxel {
            structure: structure.into(),
            voxel: *voxel,
            shape: space.shape,
        }
        .into()),
        None => Ok(BrainModel::Voxels(voxels.to_vec())),
    }
}

/// Sorts `indices` and returns one that occurs twice.
fn repeated<T: Ord + Copy>(indices: &mut [T]) -> Option<T> {
    indices.sort_unstable();
    indices
        .windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
}

impl VolumeSpace {
    fn parse(volume: Node<'_, '_>) -> Result<Self, CiftiProblem> {
        let dimensions = attribute(volume, "VolumeDimensions")?;
        let shape: Vec<u32> = dimensions
            .split(',')
            .map_while(|length| length.trim().parse().ok())
            .collect();
        let shape = <[u32; 3]>::try_from(shape).map_err(|_| ModelProblem::VolumeDimensions {
            found: dimensions.into(),
        })?;
        let matrix = only_child(volume, "TransformationMatrixVoxelIndicesIJKtoXYZ")?;
        let metres: i32 = number(matrix, "MeterExponent")?;
        let to_mm = 10_f64.powf(f64::from(metres) + 3.0);
        let elements: Vec<f64> = numbers(matrix)?;
        let affine = match elements.as_chunks::<4>() {
            ([x, y, z, _], []) => [*x, *y, *z].map(|row| row.map(|element| element * to_mm)),
            _ => {
                let found = elements.len();
                return Err(ModelProblem::TransformLength { found }.into());
            }
        };
        if !affine.iter().flatten().all(|element| element.is_finite()) {
            return Err(ModelProblem::Transform { found: affine }.into());
        }
        Ok(Self { shape, affine })
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::super::problem::XmlProblem;
    use super::*;
    use crate::is;

    fn parse(xml: &str) -> Result<BrainModels, CiftiProblem> {
        let xml = format!("<MatrixIndicesMap>{xml}</MatrixIndicesMap>");
        BrainModels::parse(Document::parse(&xml).unwrap().root_element())
    }

    fn surface(side: &str, offset: usize, count: usize, mesh: usize, vertices: &str) -> String {
        format!(
            "<BrainModel IndexOffset='{offset}' IndexCount='{count}' \
             ModelType='CIFTI_MODEL_TYPE_SURFACE' BrainStructure='CIFTI_STRUCTURE_CORTEX_{side}' \
             SurfaceNumberOfVertices='{mesh}'><VertexIndices>{vertices}</VertexIndices></BrainModel>"
        )
    }

    fn voxels(offset: usize, count: usize, indices: &str) -> String {
        format!(
            "<BrainModel IndexOffset='{offset}' IndexCount='{count}' \
             ModelType='CIFTI_MODEL_TYPE_VOXELS' BrainStructure='CIFTI_STRUCTURE_THALAMUS_LEFT'>\
             <VoxelIndicesIJK>{indices}</VoxelIndicesIJK></BrainModel>"
        )
    }

    const VOLUME: &str = "<Volume VolumeDimensions='9, 8,7'>\
        <TransformationMatrixVoxelIndicesIJKtoXYZ MeterExponent='-2'>\
        -0.2 0 0 9 0 0.2 0 -12 0 0 0.2 -7 0 0 0 1\
        </TransformationMatrixVoxelIndicesIJKtoXYZ></Volume>";

    #[test]
    fn grayordinates_follow_the_offsets_not_the_order_in_the_file() {
        let xml = [
            VOLUME.to_owned(),
            voxels(4, 1, "8 7 6"),
            surface("RIGHT", 2, 2, 5, "0 4"),
            surface("LEFT", 0, 2, 4, "1 3"),
        ];
        let models = parse(&xml.concat()).unwrap();
        let labels = GrayordinateLabels {
            left: vec![10, 11, 12, 13],
            right: vec![20, 21, 22, 23, 24],
            voxels: [([8, 7, 6], 30)].into(),
        };
        assert_eq!(models.labels(&labels).unwrap(), [11, 13, 20, 24, 30]);
        let space = models.volume_space().unwrap();
        assert_eq!(space.shape, [9, 8, 7]);
        assert_eq!(space.affine[0], [-2.0, 0.0, 0.0, 90.0]); // cm to mm
    }

    #[test]
    fn a_side_without_labels_has_none() {
        let models = parse(&surface("LEFT", 0, 2, 4, "1 3")).unwrap();
        let labels = models.labels(&GrayordinateLabels::default()).unwrap();
        assert_eq!(labels, [0, 0]);
    }

    #[test]
    fn a_mesh_of_another_size_is_refused_with_both_numbers() {
        let models = parse(&surface("LEFT", 0, 2, 59_292, "1 3")).unwrap();
        let labels = GrayordinateLabels {
            left: vec![0; 32_492],
            ..GrayordinateLabels::default()
        };
        assert!(matches!(
            models.labels(&labels),
            Err(CiftiProblem::Mesh {
                side: Side::Left,
                found: 59_292,
                labels: 32_492
            })
        ));
    }

    #[test]
    fn models_that_do_not_hold_together_are_refused() {
        use ModelProblem as P;
        type Is = fn(&ModelProblem) -> bool;
        let cases: Vec<(Vec<String>, Is)> = vec![
            (
                vec![surface("LEFT", 1, 2, 4, "1 3")],
                is!(P::Offset {
                    found: 1,
                    expected: 0,
                    ..
                }),
            ),
            (
                vec![
                    surface("LEFT", 0, 2, 4, "1 3"),
                    surface("RIGHT", 1, 1, 4, "0"),
                ],
                is!(P::Offset {
                    found: 1,
                    expected: 2,
                    ..
                }),
            ),
            (
                vec![surface("LEFT", 0, 3, 4, "1 3")],
                is!(P::Count {
                    announced: 3,
                    listed: 2,
                    ..
                }),
            ),
            (
                vec![surface("LEFT", 0, 2, 3, "1 3")],
                is!(P::Vertex {
                    vertex: 3,
                    mesh_vertices: 3,
                    ..
                }),
            ),
            (
                vec![surface("LEFT", 0, 2, 4, "3 3")],
                is!(P::RepeatedVertex { vertex: 3, .. }),
            ),
            (
                vec![surface("LEFT", 0, 1, usize::MAX, "1")],
                is!(P::MeshSize {
                    found: usize::MAX,
                    most: MAX_VERTICES,
                    ..
                }),
            ),
            (
                vec![surface("LEFT", 0, 1, 4, "1"), surface("LEFT", 1, 1, 4, "2")],
                is!(P::RepeatedSurface { structure } if structure.ends_with("CORTEX_LEFT")),
            ),
            (vec![voxels(0, 1, "0 0 0")], is!(P::NoVolume)),
            (
                vec![VOLUME.to_owned(), voxels(0, 1, "9 0 0")],
                is!(P::Voxel {
                    voxel: [9, 0, 0],
                    shape: [9, 8, 7],
                    ..
                }),
            ),
            (
                vec![VOLUME.to_owned(), voxels(0, 1, "0 0")],
                is!(P::Triples { found: 2, .. }),
            ),
            (
                vec![
                    VOLUME.to_owned(),
                    voxels(0, 1, "1 2 3"),
                    voxels(1, 1, "1 2 3"),
                ],
                is!(P::RepeatedVoxel { voxel: [1, 2, 3] }),
            ),
            (
                vec![VOLUME.replace("8,7", "8"), voxels(0, 1, "1 2 3")],
                is!(P::VolumeDimensions { found } if found == "9, 8"),
            ),
            (
                vec![VOLUME.replace("0 0 0 1", "")],
                is!(P::TransformLength { found: 12 }),
            ),
            (
                vec![VOLUME.replace("-12", "NaN")],
                is!(P::Transform { found } if found[1][3].is_nan()),
            ),
        ];
        for (xml, is_expected) in cases {
            match parse(&xml.concat()).unwrap_err() {
                CiftiProblem::Models(problem) => assert!(is_expected(&problem), "{problem}"),
                other => panic!("{other}"),
            }
        }
        assert!(matches!(
            parse(&surface("LEFT", 0, 2, 4, "1 -3")),
            Err(CiftiProblem::Xml(XmlProblem::TextNumber { found, .. })) if found == "-3"
        ));
    }
}

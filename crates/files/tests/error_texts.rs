//! Error texts, held by the snapshot; other tests match variants.

use std::io;

use brainmae_files::FileError;

#[test]
fn files_and_folders() {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let texts = [
        FileError::io("open", "a/scan.nii")(denied()),
        FileError::Write {
            path: "a/manifest.json".into(),
            source: denied(),
        },
        FileError::Checksum {
            path: "a/scan.nii".into(),
            expected: "00".into(),
            found: "ff".into(),
        },
        FileError::Busy { path: "a".into() },
    ]
    .map(|error| error.to_string());
    insta::assert_snapshot!(texts.join("\n"));
}

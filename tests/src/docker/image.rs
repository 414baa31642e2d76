//! The image under test, and the static program in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{both, docker, unique, word};

/// The repository's folder.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

/// The image's name; built here, once, unless `GREGOR_IMAGE` names one.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn gregor_image() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        if let Ok(image) = std::env::var("GREGOR_IMAGE") {
            docker(&["image", "inspect", "--format", "{{.Id}}", &image]);
            return image;
        }
        let image = "gregor:dev";
        let build = Command::new(repository().join("docker/build"))
            .args(["--tag", image])
            .output()
            .expect("docker/build runs");
        assert!(build.status.success(), "docker/build: {}", both(&build));
        image.to_owned()
    })
}

/// The program out of the image, for images that are built another way.
///
/// # Panics
/// When it cannot be copied out.
#[must_use]
pub fn static_binary(folder: &Path) -> PathBuf {
    let name = unique("copied-from");
    docker(&["create", "--name", &name, gregor_image()]);
    let file = folder.join("gregor");
    let copied = super::docker_output(&["cp", &format!("{name}:/usr/bin/gregor"), word(&file)]);
    docker(&["rm", "-v", &name]);
    assert!(copied.status.success(), "docker cp: {}", both(&copied));
    file
}

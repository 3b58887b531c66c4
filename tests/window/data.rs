//! The page of data.

use anyhow::{Result, ensure};
use crosscurrent::ui::{Options, Page};
use egui_kittest::kittest::Queryable as _;

use super::{click, has, settle, window};

/// The page shows counts and images of the new experiment, and follows the selection and the order of classes.
#[test]
fn the_images_of_the_new_experiment_are_shown() -> Result<()> {
    let mut window = window(Options::default());
    window.state_mut().show(Page::Data);
    settle(&mut window);
    ensure!(has(&window, "6 classes · 3,816 of 3,816 training images"));
    ensure!(has(&window, "Clean, image "));
    click(&mut window, "Probe images");
    ensure!(has(&window, "The images that class gradients are taken of"));
    ensure!(has(&window, "Physical-damage, image "));
    click(&mut window, "Augmented");
    // The original image is followed by the image as each epoch sees it.
    let of_clean = window.query_all_by_label_contains("Clean, image ");
    let names: Vec<_> = of_clean
        .filter_map(|node| egui_kittest::kittest::NodeT::accesskit_node(&node).label())
        .collect();
    ensure!(
        names.len() > 1 && names[1] == format!("{}, epoch 1", names[0]),
        "{names:?}"
    );
    // A click selects the class everywhere, and the classes have the order of the figures.
    let top = |window: &super::Window, class: &str| {
        window.get_by_label(&format!("Select {class}")).rect().top()
    };
    ensure!(top(&window, "Bird-drop") < top(&window, "Snow-covered"));
    click(&mut window, "Select Snow-covered");
    ensure!(window.state_mut().figure_view().class == Some(5));
    window.state_mut().figure_view().order = crosscurrent::figure::Order::Name;
    settle(&mut window);
    ensure!(top(&window, "Bird-drop") < top(&window, "Clean"));
    Ok(())
}

/// The page says what was recognised in a folder, and which images are in two splits.
#[test]
fn images_that_are_there_twice_are_said_and_listed() -> Result<()> {
    let root = tempfile::tempdir()?;
    for (split, class, numbers) in [
        ("Training", "cat", 0..10),
        ("Training", "dog", 20..30),
        ("Testing", "cat", 9..14),
        ("Testing", "dog", 40..44),
    ] {
        let folder = root.path().join(split).join(class);
        std::fs::create_dir_all(&folder)?;
        for number in numbers {
            let pixel = image::Rgb([number * 5, 90, 200 - number]);
            image::RgbImage::from_pixel(16, 16, pixel)
                .save(folder.join(format!("{number}.png")))?;
        }
    }
    let mut window = window(Options::default());
    window.state_mut().show(Page::Data);
    click(&mut window, "Image folder");
    window.get_by_label("Path of the image folder").focus();
    window.run();
    let path = root.path().display().to_string();
    window
        .get_by_label("Path of the image folder")
        .type_text(&path);
    // A typed path is looked at a moment later.
    for _ in 0..3 {
        let time = window.ctx.input(|input| input.time) + 1.0;
        window.input_mut().time = Some(time);
        settle(&mut window);
    }
    ensure!(has(
        &window,
        "Splits: training images from `Training`, test images from `Testing`"
    ));
    ensure!(has(
        &window,
        "1 of 9 test images is also among the training images"
    ));
    click(&mut window, "Images with the same pixels");
    ensure!(has(
        &window,
        "Testing/cat/9.png (cat, test) is Training/cat/9.png (cat, training)"
    ));
    Ok(())
}

/// The page says what to do if no folder is chosen, and reports a folder that does not exist.
#[test]
fn a_missing_image_folder_is_reported() {
    let mut window = window(Options::default());
    window.state_mut().show(Page::Data);
    click(&mut window, "Image folder");
    assert!(has(
        &window,
        "Choose the folder that holds one subfolder of images per class."
    ));
    window.get_by_label("Path of the image folder").focus();
    window.run();
    window
        .get_by_label("Path of the image folder")
        .type_text("/no/such/folder");
    let time = window.ctx.input(|input| input.time) + 1.0;
    window.input_mut().time = Some(time);
    settle(&mut window);
    assert!(has(&window, "cannot read the images"));
}

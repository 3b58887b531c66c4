//! The page of data.

use anyhow::{Result, ensure};
use crosscurrent::ui::{Options, Page};
use egui_kittest::kittest::Queryable as _;

use super::{click, has, settle, window};

/// Counts and images of the new experiment, which follow what is set.
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
    // The image as it is, and as epochs see it.
    let of_clean = window.query_all_by_label_contains("Clean, image ");
    let names: Vec<_> = of_clean
        .filter_map(|node| egui_kittest::kittest::NodeT::accesskit_node(&node).label())
        .collect();
    ensure!(
        names.len() > 1 && names[1] == format!("{}, epoch 1", names[0]),
        "{names:?}"
    );
    // The class is selected everywhere, and the order is that of the figures.
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

/// A folder that is not there is said, and what to do where none is chosen.
#[test]
fn data_that_cannot_be_used_is_said() {
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

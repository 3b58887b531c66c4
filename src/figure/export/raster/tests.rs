//! Triangles, textures and their order, pixel by pixel.

use egui::epaint::ColorImage;
use egui::{Mesh, Pos2, Rect, pos2};
use egui_kittest::Harness;

use super::*;
use egui::TextureOptions;
use egui::epaint::Vertex;

const WHITE: TextureId = TextureId::Managed(0);

/// A rasteriser whose one texture is the image given.
fn with_texture(image: ColorImage, options: TextureOptions) -> Rasteriser {
    let mut rasteriser = Rasteriser::new();
    let mut delta = TexturesDelta::default();
    delta.push(WHITE, ImageDelta::full(image, options));
    rasteriser.apply(&mut delta);
    rasteriser
}

fn plain() -> Rasteriser {
    with_texture(
        ColorImage::filled([1, 1], Color32::WHITE),
        TextureOptions::LINEAR,
    )
}

fn mesh(points: &[Pos2], indices: &[u32], color: Color32) -> Mesh {
    let vertex = |&pos: &Pos2| Vertex {
        pos,
        uv: Pos2::ZERO,
        color,
    };
    Mesh {
        indices: indices.to_vec(),
        vertices: points.iter().map(vertex).collect(),
        texture_id: WHITE,
    }
}

fn clipped(mesh: Mesh, clip_rect: Rect) -> Vec<ClippedPrimitive> {
    vec![ClippedPrimitive {
        clip_rect,
        primitive: Primitive::Mesh(mesh),
    }]
}

/// A fan of triangles around a point, with corners that are not on pixels: each pixel inside must be blended
/// once, also where edges meet, whichever way round the triangles are listed.
#[test]
fn triangles_that_share_edges_cover_each_pixel_once() {
    let rim = [
        pos2(-5.0, -7.3),
        pos2(13.5, -4.0),
        pos2(71.2, -3.0),
        pos2(70.0, 33.5),
        pos2(66.6, 69.0),
        pos2(20.5, 71.7),
        pos2(-9.0, 65.1),
    ];
    let centres = [
        pos2(31.5, 20.5),
        pos2(32.0, 33.0),
        pos2(13.5, 40.123),
        pos2(8.77, 3.33),
    ];
    for centre in centres {
        let points: Vec<_> = std::iter::once(centre).chain(rim).collect();
        let count = rim.len() as u32;
        let fan = (0..count).flat_map(|i| {
            let (this, next) = (1 + i, 1 + (i + 1) % count);
            if i % 2 == 0 {
                [0, this, next]
            } else {
                [next, this, 0]
            }
        });
        let half = Color32::from_rgba_premultiplied(100, 100, 100, 100);
        let mesh = mesh(&points, &fan.collect::<Vec<_>>(), half);
        let image = plain().paint(
            [64, 64],
            1.0,
            &clipped(mesh, Rect::EVERYTHING),
            Color32::BLACK,
        );
        for (x, y, pixel) in image.enumerate_pixels() {
            assert_eq!(pixel.0, [100, 100, 100, 255], "at {x}, {y}");
        }
    }
}

/// Worked out by hand: centres on the left and top edge are in, those on the right and bottom edge are out.
#[test]
fn a_triangle_owns_its_top_and_left_edge() {
    let square = [
        pos2(1.5, 1.5),
        pos2(4.5, 1.5),
        pos2(4.5, 3.5),
        pos2(1.5, 3.5),
    ];
    let mesh = mesh(&square, &[0, 1, 2, 0, 2, 3], Color32::WHITE);
    let image = plain().paint(
        [6, 5],
        1.0,
        &clipped(mesh, Rect::EVERYTHING),
        Color32::BLACK,
    );
    for (x, y, pixel) in image.enumerate_pixels() {
        let inside = (1..4).contains(&x) && (1..3).contains(&y);
        assert_eq!(pixel[0] == 255, inside, "at {x}, {y}");
    }
}

#[test]
fn nothing_is_painted_outside_the_clip_rectangle() {
    let everywhere = [pos2(-9e9, -9e9), pos2(9e9, -9e9), pos2(0.0, 9e9)];
    let clip = Rect::from_min_max(pos2(2.0, 1.0), pos2(5.0, 4.0));
    let mesh = mesh(&everywhere, &[0, 1, 2], Color32::WHITE);
    let image = plain().paint([20, 20], 2.0, &clipped(mesh, clip), Color32::BLACK);
    for (x, y, pixel) in image.enumerate_pixels() {
        let inside = (4..10).contains(&x) && (2..8).contains(&y);
        assert_eq!(pixel[0] == 255, inside, "at {x}, {y}");
    }
}

#[test]
fn invalid_triangles_and_missing_textures_are_left_out() {
    let bad = [pos2(f32::NAN, 0.0), pos2(9.0, 0.0), pos2(0.0, 9.0)];
    let good = [pos2(0.0, 0.0), pos2(9.0, 0.0), pos2(0.0, 9.0)];
    let missing_texture = Mesh {
        texture_id: TextureId::Managed(7),
        ..mesh(&good, &[0, 1, 2], Color32::WHITE)
    };
    for mesh in [
        mesh(&bad, &[0, 1, 2], Color32::WHITE),
        mesh(&good, &[0, 1, 77], Color32::WHITE),
        mesh(&good, &[0, 0, 1], Color32::WHITE),
        missing_texture,
    ] {
        let image = plain().paint(
            [4, 4],
            1.0,
            &clipped(mesh, Rect::EVERYTHING),
            Color32::BLACK,
        );
        assert!(image.pixels().all(|pixel| pixel.0 == [0, 0, 0, 255]));
    }
}

/// A texture of two by one texels, black and white, drawn eight pixels wide.
fn stretched(options: TextureOptions) -> Vec<u8> {
    let texels = ColorImage::new([2, 1], vec![Color32::BLACK, Color32::WHITE]);
    let mut mesh = Mesh::with_texture(WHITE);
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    let rect = Rect::from_min_max(Pos2::ZERO, pos2(8.0, 1.0));
    mesh.add_rect_with_uv(rect, whole, Color32::WHITE);
    let primitives = clipped(mesh, Rect::EVERYTHING);
    let image = with_texture(texels, options).paint([8, 1], 1.0, &primitives, Color32::BLACK);
    image.pixels().map(|pixel| pixel[0]).collect()
}

/// By hand: pixel x has its centre at (x + 1/2)/4 texels, texel centres lie at 1/2 and 3/2.
#[test]
fn textures_are_sampled_as_asked() {
    let nearest = stretched(TextureOptions::NEAREST);
    assert_eq!(nearest, [0, 0, 0, 0, 255, 255, 255, 255]);
    let linear = stretched(TextureOptions::LINEAR);
    assert_eq!(linear, [0, 0, 32, 96, 159, 223, 255, 255]);
}

#[test]
fn colours_blend_premultiplied_and_interpolate() {
    let over = Color32::from_rgba_premultiplied(100, 0, 0, 128);
    let corners = [pos2(0.0, 0.0), pos2(9.0, 0.0), pos2(0.0, 9.0)];
    let primitives = clipped(mesh(&corners, &[0, 1, 2], over), Rect::EVERYTHING);
    let image = plain().paint([1, 1], 1.0, &primitives, Color32::from_rgb(50, 200, 0));
    // 100 + 127/255 · 50 = 124.9, 0 + 127/255 · 200 = 99.6.
    assert_eq!(image.get_pixel(0, 0).0, [125, 100, 0, 255]);

    let mut ramp = mesh(
        &[pos2(0.0, 0.0), pos2(255.0, 0.0), pos2(0.0, 255.0)],
        &[0, 1, 2],
        Color32::BLACK,
    );
    ramp.vertices[1].color = Color32::WHITE;
    let primitives = clipped(ramp, Rect::EVERYTHING);
    let image = plain().paint([200, 2], 1.0, &primitives, Color32::GREEN);
    for x in 0..200 {
        let off = image.get_pixel(x, 1)[0].abs_diff(x as u8);
        assert!(off <= 1, "at {x}");
    }
}

/// The feathered edges of long lines are such triangles.
#[test]
fn a_long_thin_triangle_far_out_is_shaded_precisely() {
    let mut strip = mesh(
        &[
            pos2(0.0, 1000.1),
            pos2(2000.0, 1000.1),
            pos2(2000.0, 1001.0),
            pos2(0.0, 1001.0),
        ],
        &[0, 1, 2, 0, 2, 3],
        Color32::BLACK,
    );
    strip.vertices[1].color = Color32::WHITE;
    strip.vertices[2].color = Color32::WHITE;
    let primitives = clipped(strip, Rect::EVERYTHING);
    let image = plain().paint([2000, 1001], 1.0, &primitives, Color32::GREEN);
    for x in 0..2000 {
        let wanted = (f64::from(x) + 0.5) / 2000.0 * 255.0;
        let off = f64::from(image.get_pixel(x, 1000)[0]) - wanted;
        assert!(off.abs() < 0.51, "off by {off} at {x}");
    }
}

#[test]
fn textures_change_in_part_and_outlive_the_pass_that_frees_them() {
    let mut rasteriser = with_texture(
        ColorImage::filled([4, 4], Color32::BLACK),
        TextureOptions::NEAREST,
    );
    let texel = |rasteriser: &Rasteriser, x: usize, y: usize| {
        rasteriser
            .textures
            .get(&WHITE)
            .map(|texture| texture.texels[y * 4 + x])
    };
    let mut delta = TexturesDelta::default();
    let part = ColorImage::filled([2, 1], Color32::RED);
    delta.push(
        WHITE,
        ImageDelta::partial([1, 2], part, TextureOptions::NEAREST),
    );
    delta.free(WHITE);
    rasteriser.apply(&mut delta);
    assert!(delta.is_empty());
    for (x, y) in (0..4).flat_map(|y| (0..4).map(move |x| (x, y))) {
        let inside = (1..3).contains(&x) && y == 2;
        let wanted = if inside { Color32::RED } else { Color32::BLACK };
        assert_eq!(texel(&rasteriser, x, y), Some(wanted), "at {x}, {y}");
    }
    rasteriser.apply(&mut TexturesDelta::default());
    assert_eq!(texel(&rasteriser, 0, 0), None);
}

#[test]
fn the_rasteriser_renders_for_the_test_harness() -> anyhow::Result<()> {
    let mut harness = Harness::builder()
        .with_size([120.0, 40.0])
        .with_pixels_per_point(2.0)
        .renderer(Rasteriser::new())
        .build_ui(|ui| {
            ui.label("Dusty");
        });
    harness.run();
    let image = harness.render().map_err(anyhow::Error::msg)?;
    assert_eq!(image.dimensions(), (240, 80));
    let background = *image.get_pixel(239, 79);
    let text = image.pixels().filter(|&&pixel| pixel != background);
    assert!(text.count() > 100);
    Ok(())
}

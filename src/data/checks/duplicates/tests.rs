use super::*;

/// Images of one pixel with these values; the first letters of their classes; and their splits, 0 to 2.
fn data(images: &[(u8, u16, usize)]) -> Dataset {
    let mut data = Dataset {
        height: 1,
        width: 1,
        channels: 1,
        classes: vec!["cat".to_owned(), "dog".to_owned()],
        files: Some((0..images.len()).map(|i| format!("{i}.png")).collect()),
        ..Dataset::default()
    };
    for (number, &(value, label, split)) in images.iter().enumerate() {
        data.images.push(value);
        data.labels.push(label);
        [&mut data.train, &mut data.val, &mut data.test][split].push(number as u32);
    }
    data
}

#[test]
fn images_that_are_there_twice_are_counted_and_listed() {
    let found = Duplicates::of(&data(&[
        (1, 0, 0),
        (2, 0, 0),
        (3, 1, 0),
        (2, 0, 0), // repeats image 1
        (1, 0, 2), // in test and training
        (3, 0, 2), // in test and training, and of another class there
        (9, 1, 2),
        (2, 0, 1), // in validation and training
    ]));
    assert_eq!(
        found.sentences,
        [
            "2 of 3 test images are also among the training images",
            "1 of 1 validation images is also among the training images",
            "2 images have the same pixels as one of another class",
            "1 of 4 training images repeats another one",
        ]
    );
    let pairs: Vec<_> = found.pairs.iter().map(ToString::to_string).collect();
    assert_eq!(
        pairs,
        [
            "5.png (cat, test) is 2.png (dog, training)",
            "4.png (cat, test) is 0.png (cat, training)",
            "7.png (cat, validation) is 1.png (cat, training)",
            "3.png (cat, training) is 1.png (cat, training)",
        ]
    );
}

#[test]
fn different_images_are_not_mentioned() {
    let images: Vec<_> = (0..200)
        .map(|i| (i, u16::from(i % 2), usize::from(i % 3)))
        .collect();
    assert_eq!(Duplicates::of(&data(&images)), Duplicates::default());
    assert_eq!(Duplicates::of(&Dataset::default()), Duplicates::default());
}

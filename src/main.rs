fn main() {
    let runs = std::env::args()
        .skip(1)
        .map(std::path::PathBuf::from)
        .collect();
    if let Err(error) = crosscurrent::ui::open(runs) {
        println!("{error}");
    }
}

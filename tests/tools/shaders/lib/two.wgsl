// lib: one
fn two() -> f32 { return one() + one(); }

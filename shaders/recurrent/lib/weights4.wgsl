// The recurrent weights of a unit's four gates, from `at` on, in one load.
fn weights_at(at: u32, lane: u32) -> Gates {
  _ = lane;
  return load_kernel4(at);
}

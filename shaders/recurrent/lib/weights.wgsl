// The recurrent weights of a unit's gates, from `at` on, for devices without subgroups.
fn weights_at(at: u32, lane: u32) -> Gates {
  _ = lane;
  var u = vec4<f32>(load_kernel(at), 0.0, 0.0, 0.0);
  if (GATES > 1u) {
    u.y = load_kernel(at + 1u);
  }
  if (GATES > 2u) {
    u.z = load_kernel(at + 2u);
  }
  if (GATES > 3u) {
    u.w = load_kernel(at + 3u);
  }
  return narrow(u);
}

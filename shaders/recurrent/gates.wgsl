// The weights of a unit's gates, which a shader has `next` apart from `at` on, for devices without subgroups.
fn gates_at(at: u32, next: u32, lane: u32) -> vec4<f32> {
  _ = lane;
  return vec4<f32>(load_kernel(at), load_kernel(at + next), load_kernel(at + 2u * next), load_kernel(at + LAST * next));
}

// The weights of a unit's gates, LAST + 1 of them `next` apart from `at` on: each lane reads one and hands it round, because on
// software GPUs a load costs far more than a product, to run and to compile. Needs sequences by fours, in lanes in order.
enable subgroups;

// All sequences come here together, which is more than a compiler can see.
@diagnostic(off, subgroup_uniformity)
fn gates_at(at: u32, next: u32, lane: u32) -> vec4<f32> {
  let own = load_kernel(at + min(lane % 4u, LAST) * next);
  return vec4<f32>(
    subgroupBroadcast(own, 0u),
    subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u),
    subgroupBroadcast(own, LAST),
  );
}

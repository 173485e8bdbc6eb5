// The recurrent weights of a unit's gates, from `at` on: each lane reads one and hands it round, because on software GPUs a load
// costs far more than a product, to run and to compile. Needs sequences by fours, in lanes in order.
enable subgroups;

// All sequences come here together, which is more than a compiler can see.
@diagnostic(off, subgroup_uniformity)
fn weights_at(at: u32, lane: u32) -> Gates {
  let own = load_kernel(at + min(lane % 4u, GATES - 1u));
  return narrow(vec4<f32>(
    subgroupBroadcast(own, 0u),
    subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u),
    subgroupBroadcast(own, 3u),
  ));
}

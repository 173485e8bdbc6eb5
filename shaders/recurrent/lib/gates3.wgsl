// What belongs to the three gates of a unit.
alias Gates = vec3<f32>;

fn narrow(v: vec4<f32>) -> Gates {
  return v.xyz;
}

fn wide(v: Gates) -> vec4<f32> {
  return vec4<f32>(v, 0.0);
}

fn total(a: Gates, b: Gates) -> f32 {
  return dot(a, b);
}

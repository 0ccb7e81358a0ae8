using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>Qwen 3 Next: the hybrid whose neighbouring value heads share a key head.</summary>
internal sealed class Qwen3Next(WeightReader w) : DeltaHybrid(w, tiled: false, RopeSettings.Read(w));

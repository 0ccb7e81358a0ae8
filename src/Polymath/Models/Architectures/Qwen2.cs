using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>Qwen 2 and 2.5 (arXiv:2407.10671, arXiv:2412.15115): Llama with biases on queries, keys and values.</summary>
internal sealed class Qwen2(WeightReader w) : Transformer(w, layer => TransformerBlock.Read(w, SelfAttention.Read(w, layer)));

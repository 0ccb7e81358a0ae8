using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>Qwen 3 (arXiv:2505.09388): Llama with a norm on the queries and keys of each head.</summary>
internal sealed class Qwen3(WeightReader w) : Transformer(w, layer => TransformerBlock.Read(w, SelfAttention.Read(w, layer).WithNorms(w)));

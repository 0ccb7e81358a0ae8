using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>A norm over the width: RMS norm, or layer norm, which takes off the mean too.</summary>
/// <param name="Weight">[1, D]; empty for no norm at all.</param>
/// <param name="Bias">[1, D], or empty.</param>
/// <param name="Centred">True for layer norm.</param>
internal readonly record struct Norm(Tensor Weight, Tensor Bias = default, bool Centred = false)
{
    /// <summary>The RMS norm name.weight.</summary>
    /// <exception cref="Files.ModelFormatException">Missing or misshapen.</exception>
    public static Norm Rms(WeightReader w, string name) => new(w.Vector(name + ".weight", w.Settings.Width));

    /// <summary>The layer norm name.weight and, if there is one, name.bias.</summary>
    /// <exception cref="Files.ModelFormatException">Missing or misshapen.</exception>
    public static Norm Layer(WeightReader w, string name) =>
        new(w.Vector(name + ".weight", w.Settings.Width), w.OptionalVector(name + ".bias", w.Settings.Width), Centred: true);

    /// <summary>The tokens x [T, D], normalised, or x itself where there is no norm.</summary>
    public Tensor Run(Pass p, Tensor x) =>
        Weight.IsEmpty ? x : Centred ? p.LayerNorm(x, Weight, Bias) : p.RmsNorm(x, Weight);
}

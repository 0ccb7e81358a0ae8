using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// What rerankers and classifiers put behind the pooled vector: a layer with an activation and a norm, an output for each
/// label, softmax over them; each part may be missing.
/// </summary>
internal sealed record RankHead
{
    /// <summary>[D, D], or empty.</summary>
    public Linear Dense { get; init; }

    /// <summary>GELU instead of tanh after the layer.</summary>
    public bool Gelu { get; init; }

    /// <summary>After the activation.</summary>
    public Norm Norm { get; init; }

    /// <summary>[labels, D], or empty.</summary>
    public Linear Output { get; init; }

    /// <summary>The outputs are made probabilities.</summary>
    public bool Softmax { get; init; }

    /// <summary>Names of the outputs, where the file gives them.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Reads cls, cls.norm and cls.output, those that are there; null when none is.</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is misshapen.</exception>
    public static RankHead? TryRead(WeightReader w)
    {
        int width = w.Settings.Width;
        string[] labels = w.Texts("classifier.output_labels");
        bool dense = w.Contains("cls.weight"), output = w.Contains("cls.output.weight");
        if (!dense && !output)
            return null;
        return new RankHead
        {
            Dense = dense ? w.Linear("cls", width, width) : default,
            Gelu = w.Settings.Architecture == "modern-bert",
            Norm = dense && w.Contains("cls.norm.weight") ? Norm.Layer(w, "cls.norm") : default,
            Output = output ? w.Linear("cls.output", Math.Max(1, labels.Length), width) : default,
            Softmax = w.Settings.Architecture == "qwen3",
            Labels = labels,
        };
    }

    /// <summary>The pooled vectors [N, D] through the head: [N, labels].</summary>
    public Tensor Run(Pass p, Tensor x)
    {
        if (!Dense.Weight.IsEmpty)
        {
            x = p.Linear(x, Dense);                                    // [N, D]
            if (Gelu)
                p.Activate(Activation.Gelu, x);
            else
                Elementwise.SoftCap(x, 1);                             // tanh
            x = Norm.Run(p, x);
        }

        if (!Output.Weight.IsEmpty)
            x = p.Linear(x, Output);                                   // [N, labels]
        for (int row = 0; row < x.Rows && Softmax; row++)
            Tensors.Softmax.Run(x.Row(row));
        return x;
    }
}

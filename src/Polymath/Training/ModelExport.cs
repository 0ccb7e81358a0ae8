using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Training;

/// <summary>Writes trained weights as a GGUF file that any engine for the Llama architecture runs.</summary>
public static class ModelExport
{
    /// <summary>Writes the file whole or not at all. Matrices are stored in <paramref name="format"/>, norms in F32.</summary>
    /// <param name="path">The file.</param>
    /// <param name="weights">Weights and sizes.</param>
    /// <param name="vocabulary">The tokenizer.* keys.</param>
    /// <param name="facts">Further keys: name, licence, how it was trained.</param>
    /// <param name="format">Format of the matrices; those whose rows do not fill its blocks stay F32.</param>
    public static void Write(string path, TrainingWeights weights, Metadata vocabulary, Metadata facts, TensorFormat format)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(facts);
        var metadata = new Metadata();
        weights.Settings.Write(metadata);
        metadata.Set("general.type", "model");
        metadata.Set("general.file_type", FileType(format));
        if (format is TensorFormat.Q8_0 or TensorFormat.Q4_0)
            metadata.Set("general.quantization_version", 2u);
        foreach ((string key, MetadataValue value) in facts)
            metadata.Set(key, value);
        foreach ((string key, MetadataValue value) in vocabulary)
            metadata.Set(key, value);
        GgufWriter.Entry[] entries = [.. weights.Parameters.Select(p => EntryOf(weights, p, format))];
        GgufWriter.Write(path, metadata, entries);
    }

    private static GgufWriter.Entry EntryOf(TrainingWeights weights, Parameter p, TensorFormat format)
    {
        Tensor value = weights.View(p.Name);
        if (p.IsNorm)
            return new GgufWriter.Entry(p.Name, [p.Columns], value);
        if (format != TensorFormat.F32 && p.Columns % FormatInfo.BlockLength(format) == 0)
        {
            Tensor stored = Tensor.Zeros(format, p.Rows, p.Columns);
            for (int row = 0; row < p.Rows; row++)
                BlockFormat.Quantize(format, value.Row(row), stored.RowData(row));
            value = stored;
        }

        return new GgufWriter.Entry(p.Name, [p.Columns, p.Rows], value);
    }

    // Numbers of llama_ftype, which readers show as the file's type.
    private static uint FileType(TensorFormat format) => format switch
    {
        TensorFormat.F16 => 1,
        TensorFormat.Q4_0 => 2,
        TensorFormat.Q8_0 => 7,
        TensorFormat.BF16 => 32,
        _ => 0,
    };
}

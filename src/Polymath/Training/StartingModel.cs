using System.Security.Cryptography;
using System.Text;
using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Training;

/// <summary>A model of the Llama architecture whose sizes and weights a run starts from, in place of random weights.</summary>
public sealed class StartingModel : IDisposable
{
    private readonly WeightSource _source;

    private StartingModel(WeightSource source)
    {
        _source = source;
        Settings = ModelSettings.Read(source);
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings { get; }

    /// <summary>True when the output head is the embedding.</summary>
    public bool Tied => !_source.Contains("output.weight");

    /// <summary>Opens the model at <paramref name="path"/>; its weights may be stored in any format.</summary>
    /// <exception cref="TrainingException">Not a model that training knows.</exception>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static StartingModel Open(string path)
    {
        WeightSource source = WeightSource.Open(path);
        try
        {
            if (source.Architecture != "llama")
                throw new TrainingException($"{path}: training knows the architecture llama, not {source.Architecture}");
            var model = new StartingModel(source);
            if (model.Settings.Experts > 0 || source.Metadata.Contains("llama.attention.scale"))
                throw new TrainingException($"{path}: training knows neither experts nor a scale of attention");
            return model;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>SHA-256 of names, shapes and weights, in hexadecimal.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (TensorInfo info in _source.Tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{info.Name} {info.FormatName} {string.Join('x', info.Dimensions)}\n"));
            Tensor tensor = _source.Read(info.Name, RowsOf(info), checked((int)info.Dimensions[0]));
            for (int row = 0; row < tensor.Rows; row++)
                hash.AppendData(tensor.RowData(row));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Fills <paramref name="weights"/> with those of the model.</summary>
    /// <exception cref="TrainingException">The model has a tensor that training does not know.</exception>
    /// <exception cref="ModelFormatException">A tensor is missing or misshapen.</exception>
    public void CopyTo(TrainingWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var names = weights.Parameters.Select(p => p.Name).ToHashSet();
        if (_source.Tensors.FirstOrDefault(t => !names.Contains(t.Name)) is { } surplus)
            throw new TrainingException($"{_source.Path}: training does not know the tensor {surplus.Name}");
        foreach (Parameter p in weights.Parameters)
        {
            Tensor stored = _source.Read(p.Name, p.Rows, p.Columns), target = weights.View(p.Name);
            for (int row = 0; row < p.Rows; row++)
                BlockFormat.Dequantize(stored.Format, stored.RowData(row), target.Row(row));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private static int RowsOf(TensorInfo info) => checked((int)(info.ElementCount / info.Dimensions[0]));
}

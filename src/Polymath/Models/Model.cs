using Polymath.Files;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>How a model is loaded.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads to compute with; 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>Prompt tokens that go through the layers together.</summary>
    public int BatchSize { get; init; } = 512;
}

/// <summary>A loaded model: weights, vocabulary and the threads that compute with them. Sessions hold the state of a text.</summary>
public sealed class Model : IDisposable
{
    private Model() => throw new NotSupportedException();

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings => throw new NotSupportedException();

    /// <summary>The vocabulary.</summary>
    public Tokenizer Tokenizer => throw new NotSupportedException();

    /// <summary>The file behind the weights.</summary>
    public WeightSource Source => throw new NotSupportedException();

    /// <summary>The threads.</summary>
    public ThreadTeam Team => throw new NotSupportedException();

    /// <summary>Opens a GGUF file or a Hugging Face folder.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    public static Model Load(string path, ModelOptions? options = null) => throw new NotSupportedException(path);

    /// <summary>A new, empty text of at most <paramref name="contextLength"/> tokens; 0 for the length the model was trained for.</summary>
    public Session NewSession(int contextLength = 0) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotSupportedException();
}

using Polymath.Tests.Files;

namespace Polymath.Tests.Cli;

/// <summary>A folder with the tiny model in it, for all tests of a class.</summary>
public sealed class TinyModelFile : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyModelFile() => TinyModel.Write(Path);

    public string Path => _folder["tiny.gguf"];

    public string Beside(string name) => _folder[name];

    public void Dispose() => _folder.Dispose();
}

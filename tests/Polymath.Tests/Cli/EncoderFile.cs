using Polymath.Tests.Files;
using Polymath.Tiny;

namespace Polymath.Tests.Cli;

/// <summary>A folder with tiny encoders that read ASCII, a token for each character, for all tests of a class.</summary>
public sealed class EncoderFile : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string this[string name] => _folder[name];

    public void Dispose() => _folder.Dispose();

    /// <summary>The path of an encoder, as it is or quantised.</summary>
    public string Of(string name, string type = "F32")
    {
        string path = _folder[$"{name}.gguf"], quantised = _folder[$"{name}-{type}.gguf"];
        if (!File.Exists(path))
            Write(path, name, file => file);
        if (type == "F32")
            return path;
        if (!File.Exists(quantised))
            CliRun.Succeed("quantize", path, quantised, type);
        return quantised;
    }

    /// <summary>The path of an encoder with a change.</summary>
    internal string Changed(string name, Func<TinyFile, TinyFile> change)
    {
        string path = _folder[$"{Guid.NewGuid():N}.gguf"];
        Write(path, name, change);
        return path;
    }

    private static void Write(string path, string name, Func<TinyFile, TinyFile> change) =>
        change(TinyArchitectures.Encoders[name]().WithVocabulary(addsBegin: true)).Write(path);
}

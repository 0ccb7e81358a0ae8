using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>Writes a GGUF v3 file whole or not at all.</summary>
public static class GgufWriter
{
    /// <summary>A tensor to write.</summary>
    /// <param name="Name">GGUF tensor name.</param>
    /// <param name="Dimensions">Sizes in GGUF order, the row length first.</param>
    /// <param name="Value">The elements, [rows, columns] with all outer dimensions folded into rows.</param>
    public sealed record Entry(string Name, IReadOnlyList<long> Dimensions, Tensor Value);

    /// <summary>Writes beside <paramref name="path"/> under a temporary name, flushes and renames.</summary>
    public static void Write(string path, Metadata metadata, IReadOnlyList<Entry> tensors) =>
        throw new NotSupportedException(path);
}

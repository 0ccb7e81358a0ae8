using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>A tensor of a checkpoint in the file that holds it.</summary>
internal sealed record StoredTensor(SafetensorsFile File, SafetensorsFile.Entry Entry)
{
    /// <summary>Name in the checkpoint.</summary>
    public string Name => Entry.Name;

    /// <summary>Sizes, outermost first.</summary>
    public long[] Shape => Entry.Shape;

    /// <summary>A view of the elements, all dimensions but the last folded into rows; a vector is one row.</summary>
    /// <exception cref="ModelFormatException">A type this engine cannot compute with.</exception>
    public Tensor View()
    {
        int columns = Shape.Length == 0 ? 1 : checked((int)Shape[^1]);
        return View(checked((int)(Shape.Aggregate(1L, (a, b) => checked(a * b)) / Math.Max(columns, 1))), columns);
    }

    /// <summary>A view of the elements as [rows, columns].</summary>
    /// <exception cref="ModelFormatException">A type this engine cannot compute with, or another number of elements.</exception>
    public Tensor View(int rows, int columns) => File.Read(Entry, rows, columns);

    /// <summary>Stored bytes, counted from the first of the tensor.</summary>
    public ReadOnlySpan<byte> Bytes(long start, int count) => File.Bytes(Entry, start, count);
}

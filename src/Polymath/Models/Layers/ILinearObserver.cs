using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>Sees what goes into the linear layers of a pass, for what is measured of a model.</summary>
internal interface ILinearObserver
{
    /// <summary>Called once for each product x · weightᵀ.</summary>
    /// <param name="x">[T, K]; its memory is the pass's.</param>
    /// <param name="layer">The layer that reads it.</param>
    void Observe(Tensor x, Linear layer);
}
